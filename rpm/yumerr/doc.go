// Package yumerr says why a yum failed, from what it printed: the kinds of failure that yum 3.4.3 and rpm 4.11 tell,
// each by its own words (yum's cli.py, yumRepo.py and depsolve.py; rpm's lib/rpmts.c), and what an administrator does
// next.
package yumerr
