"""Use cases, one a file: values in, values out. They print nothing and ask nothing."""
