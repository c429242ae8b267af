//! BFV in big integers, by the schoolbook.
