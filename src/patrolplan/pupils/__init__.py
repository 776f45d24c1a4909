"""Where pupils are, minute by minute after the bell: modelled, never tracked."""
