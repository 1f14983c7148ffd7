//! See the module `auth` of the library.
#![no_main]
fps_fuzz::target!(auth);
