//! See the module `control` of the library.
#![no_main]
fps_fuzz::target!(control);
