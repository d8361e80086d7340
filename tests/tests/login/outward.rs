//! A server calls its provider itself: no proxy of the environment is asked, whatever it says.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Command;

/// In a process of its own, for the environment is the whole process's.
#[test]
fn no_proxy_of_the_environment_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let mut login = Command::new(std::env::current_exe().unwrap());
    login.args(["--exact", "callbacks::a_login_makes_a_session_and_goes_where_it_should"]);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        login.env(name, &proxy).env(name.to_uppercase(), &proxy);
    }
    let ended = login.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came to the proxy");
}
