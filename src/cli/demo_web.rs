//! `prosopon demo-web`: the demo's web, to look at.

use std::process::ExitCode;

use clap::Args;

use crate::demo::DemoWeb;
use crate::run::engine::RunError;

#[derive(Debug, Args)]
pub(super) struct DemoWebArgs {
    /// Port on 127.0.0.1; 0 = any free one
    #[arg(long, default_value_t = 8484)]
    port: u16,
}

pub(super) fn execute(args: &DemoWebArgs) -> anyhow::Result<ExitCode> {
    super::run::runtime()?.block_on(async {
        let web = DemoWeb::start(args.port).await.map_err(RunError::Demo)?;
        eprintln!("the demo web is at http://{}/ with {} hosts; Ctrl-C stops it", web.addr(), web.hosts().len());
        if let Some(host) = web.hosts().first() {
            eprintln!("one site: curl --header 'Host: {host}' http://{}/", web.addr());
        }
        tokio::signal::ctrl_c().await?;
        web.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}
