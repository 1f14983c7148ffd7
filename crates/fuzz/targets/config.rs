//! See the module `config` of the library.
#![no_main]
fps_fuzz::target!(config);
