"""Files of any place: which there are, what each holds, which are new."""
