/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_VERSION_H
#define NATTY_VERSION_H

#define NATTY_VERSION "0.1.0"

#endif
