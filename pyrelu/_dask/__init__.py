"""What pyrelu.dask is made of: collections as partitions, the tasks, and the rows of a fit over them."""
