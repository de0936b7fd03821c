"""The engines behind ``estimate.base.Estimator``. Importing one loads its libraries."""
