"""The CCNET (CashCode) note acceptor: frames, states, bill table, and the machine."""
