"""A second look at the pages that the lanes found, by models that read each together with the query."""
