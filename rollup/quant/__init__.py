"""What is computed in floats, off the chain: pricing for display, fitting of the oracle's surface, margin screening.

Nothing here decides anything about the state. The state transition has its own fixed-point arithmetic; these modules
feed it (the surface that feeders sign), show it to people (Greeks) and tell where it must look (margin screening).
"""
