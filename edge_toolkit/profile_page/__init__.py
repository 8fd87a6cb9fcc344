"""The page of a profile: one HTML file that opens offline and answers to mouse, finger and keys.

page             the profile laid into page.html, with its style and its scripts (one, in the order of `SCRIPTS`)
words            what it says in words
facts.js         the profile in the page, numbers as text, elements made, and the box that tells of a mark
headline.js      those words, and the theme
timeline.js      the rows in the order of execution, both networks on one scale
icicle.js        the time block by block
roofline.js      the rows against what the machine does at most
comparison.js    the two networks by role and by block
rows.js          every row, to sort and to filter
start.js         what is called when the page opens
"""

from edge_toolkit.profile_page.page import profile_page

__all__ = ["profile_page"]
