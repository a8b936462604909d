"""The mail program: takes in what comes, writes what is owed, sends what is written."""
