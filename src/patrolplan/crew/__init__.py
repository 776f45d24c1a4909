"""Work shared out among workers: processes of this computer, a cluster, any executor."""
