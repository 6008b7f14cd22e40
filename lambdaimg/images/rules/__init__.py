"""The static rules of check: would Lambda accept this image, and could it start it?"""
