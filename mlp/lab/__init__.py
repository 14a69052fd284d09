"""Recorded runs: a YAML file goes in, evidence comes out, in a folder of results/.

Modules, each importing only from those above it:

* `capacity`: small networks on two circles, which are not recorded, but trained anew for a report
* `origin`: digests of the code and the data that a result depends on
* `store`: a folder of results, claimed by one process, its files written whole or not at all
* `summary`: what recorded runs say in short
* `experiment`: what an experiment file says, and running it, once per seed
* `ensemble`: the average of an experiment's networks
* `space`: what a search file says: the trials and rounds of a search
* `search`: running it, and its tables
* `evidence`: whether a result belongs to the code, and its files agree with each other
* `again`: recorded runs trained again, in processes
* `compare`: figures as recorded, against figures that came out again
* `recorded`, `verify`: what is recorded, and how all of it is verified
"""
