//! See the module `fragments` of the library.
#![no_main]
fps_fuzz::target!(fragments);
