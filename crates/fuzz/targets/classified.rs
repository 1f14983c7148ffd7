//! See the module `classified` of the library.
#![no_main]
fps_fuzz::target!(classified);
