//! See the module `dns` of the library.
#![no_main]
fps_fuzz::target!(dns);
