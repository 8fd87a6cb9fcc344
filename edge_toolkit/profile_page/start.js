// What is called when the page opens.

theme();
listen();
headline();
timeline();
icicle();
roofline();
comparison();
rowsTable();
