"""The networks. torch is imported here, in the torch back end and in training, nowhere else."""
