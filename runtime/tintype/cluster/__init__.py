"""Archives: `tintype cluster FOLDER -o OUT`, on Ray Data, from and to any filesystem that fsspec knows.

command   options, what can be wrong before work starts, one run
archive   one run, and what is said of it
engine    Ray: the cluster, the pool of workers, its answers
hush      Ray kept quiet
plan      what a run is, as it travels to workers
listing   which photographs there are, folder by folder
worker    one actor: a model, open, and photographs one after the other
remote    filesystems elsewhere, and what is wrong with them in words
elsewhere one photograph whose file or result is elsewhere
ledger    the journal, as a worker sees it

Ray and fsspec come with `tintype[cluster]`, and are imported here alone.
"""
