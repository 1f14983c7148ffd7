//! See the module `frames` of the library.
#![no_main]
fps_fuzz::target!(frames);
