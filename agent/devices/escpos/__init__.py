"""The ESC/POS receipt printer: status, model profiles, the law of a receipt, and the machine."""
