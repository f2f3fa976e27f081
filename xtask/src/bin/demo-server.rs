//! Serves a folder to this machine alone: `demo-server FOLDER PORT`, port 0 for any that is free.
//!
//! A program of its own, behind the feature `server`, so that only the demo waits for its compilation.

use std::env;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName, X_CONTENT_TYPE_OPTIONS};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, port] = args.as_slice() else {
        bail!("usage: demo-server FOLDER PORT");
    };
    let port: u16 = port.parse().with_context(|| format!("`{port}` is no port"))?;
    ensure!(Path::new(folder).is_dir(), "{folder} is no folder");
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(serve(folder, port))
}

async fn serve(folder: &str, port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!("cannot listen on port {port}: choose another one, as in `--port 8001`")
    })?;
    println!("gradflow's page is at http://{}/ (Ctrl-C ends it)", listener.local_addr()?);
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let page = Router::new()
        .fallback_service(ServeDir::new(folder))
        // A rebuilt page is seen at once.
        .layer(header(CACHE_CONTROL, "no-cache"))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"));
    axum::serve(listener, page).await?;
    Ok(())
}
