"""Would Lambda accept and run this image? The verdict of all rules, and its reports."""
