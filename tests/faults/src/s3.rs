//! A directory behind the S3 protocol on a loopback address, which can be stopped and started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};

use crate::service::free_address;

const BUCKET: &str = "blobs";
const NAME: &str = "relay";
const SECRET: &str = "hidden";

/// An object store.
pub struct ObjectStore {
    folder: PathBuf,
    address: SocketAddr,
    /// With it, everything ends that it does.
    runtime: Option<Runtime>,
}

impl ObjectStore {
    /// Serves a bucket of a folder, which is made.
    pub fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder.join(BUCKET)).expect("a folder for the bucket");
        let mut store = Self { folder: folder.to_owned(), address: free_address(), runtime: None };
        store.start_again();
        store
    }

    /// Serves it again at the same address.
    pub fn start_again(&mut self) {
        let mut service = S3ServiceBuilder::new(FileSystem::new(&self.folder).expect("a folder"));
        service.set_auth(SimpleAuth::from_single(NAME, SECRET));
        let service = service.build();
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(self.address)).expect("the address is free again");
        runtime.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let service = service.clone();
                // A client that goes away is no failure of the store.
                tokio::spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        self.runtime = Some(runtime);
    }

    /// Closes its socket and every connection.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// What a service's section `[storage.blobs.s3]` says of it.
    pub fn settings(&self) -> String {
        format!(
            "bucket = \"{BUCKET}\"\nendpoint = \"http://{}\"\nallow_http = true\nprefix = \"relay\"\n",
            self.address
        )
    }

    /// Variables of the environment with which a service may use it.
    pub fn credentials(&self) -> Vec<(&'static str, String)> {
        vec![("AWS_ACCESS_KEY_ID", NAME.to_owned()), ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned())]
    }
}
