//! See the module `records` of the library.
#![no_main]
fps_fuzz::target!(records);
