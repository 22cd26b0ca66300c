# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "folder='...'; kind='svg'" plot.gp
if (kind eq 'svg') set terminal svg size 1000,420 background rgb 'white' font 'sans,11'
if (kind eq 'png') set terminal pngcairo size 1000,420 font 'sans,10'
set output folder . '/plot.' . kind
set multiplot layout 1,2
set logscale x
set xlabel 'flows'
set ylabel 'ns a packet, over plain forwarding'
set format x '10^{%T}'
set grid ytics lc rgb '#dddddd'
set key top left autotitle columnhead
set datafile missing 'NaN'
set style data linespoints
names = 'nft flowtable iptables natty natty-accounting'
colours = '#4477aa #66ccee #aaaaaa #cc3311 #ee9988'
set yrange [*:*]
do for [part in 'established first'] {
	file = folder . '/' . part . '.dat'
	set title part eq 'first' ? 'first packet of a flow' : 'packet of a flow that exists'
	if (part eq 'first') { set logscale y }
	plot for [i=1:words(names)] file using 1:(column(i + 1)) title word(names, i) \
		lc rgb word(colours, i) lw 2 pt 7 ps 0.6
}
unset multiplot
