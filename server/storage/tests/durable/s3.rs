//! A directory behind the S3 protocol, on a loopback address.

use std::path::Path;

use blindrelay_storage::{S3Credentials, S3Settings};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

/// Serves a bucket of the folder until the runtime ends.
pub(crate) async fn serve(folder: &Path) -> S3Settings {
    let bucket = "blobs";
    std::fs::create_dir(folder.join(bucket)).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder).unwrap());
    service.set_auth(SimpleAuth::from_single("relay", "hidden"));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            // A client that goes away is no failure of the server.
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    let credentials = S3Credentials { access_key_id: "relay".to_owned(), secret_access_key: "hidden".to_owned() };
    S3Settings {
        bucket: bucket.to_owned(),
        region: None,
        endpoint: Some(endpoint),
        prefix: "relay".to_owned(),
        allow_http: true,
        credentials: Some(credentials),
    }
}
