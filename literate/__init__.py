"""What ties the report to the program: quoted source, and the appendix of equations and lines."""
