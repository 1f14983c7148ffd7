//! `fps-lab man`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

use super::Exit;
use super::output::put;
use crate::multicall;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab man --out /usr/local/share/man/man1")]
pub(super) struct Arguments {
    /// The page to print
    #[arg(value_name = "PAGE", default_value = "fps-lab")]
    page: String,
    /// Write all pages to this folder instead, of each program and each of its commands
    #[arg(long, value_name = "DIR", conflicts_with = "page")]
    out: Option<PathBuf>,
}

/// A page of the manual.
struct Page {
    name: String,
    text: Vec<u8>,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let pages = match pages() {
        Ok(pages) => pages,
        Err(error) => {
            complain!("fps-lab: make the pages of the manual: {error}");
            return Exit::NoLab;
        }
    };
    if let Some(folder) = &arguments.out {
        return write_all(&pages, folder);
    }
    let Some(page) = pages.iter().find(|page| page.name == arguments.page) else {
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        complain!("fps-lab: there is no page `{}`", arguments.page);
        complain!("pages are: {}", names.join(", "));
        return Exit::Invalid;
    };
    put("the page", &page.text)
}

fn write_all(pages: &[Page], folder: &Path) -> Exit {
    let write = |page: &Page| fs::write(folder.join(format!("{}.1", page.name)), &page.text);
    let written = fs::create_dir_all(folder).and_then(|()| pages.iter().try_for_each(write));
    match written {
        Ok(()) => {
            say!("{} pages in {}", pages.len(), folder.display());
            Exit::Passed
        }
        Err(error) => {
            complain!("fps-lab: write to {}: {error}", folder.display());
            Exit::NoLab
        }
    }
}

/// A page for each program and each of its commands.
fn pages() -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for mut command in multicall::commands() {
        command.build();
        add(&command, &mut pages)?;
    }
    Ok(pages)
}

fn add(command: &Command, pages: &mut Vec<Page>) -> io::Result<()> {
    // With those above it: `fps-lab-run`.
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name)
        .source(concat!("fps-lab ", env!("CARGO_PKG_VERSION")))
        .render(&mut text)?;
    pages.push(Page {
        name: name.to_owned(),
        text,
    });
    let inner = command.get_subcommands();
    let mut inner = inner.filter(|it| it.get_name() != "help" && !it.is_hide_set());
    inner.try_for_each(|command| add(command, pages))
}
