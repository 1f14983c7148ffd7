//! See the module `profile` of the library.
#![no_main]
fps_fuzz::target!(profile);
