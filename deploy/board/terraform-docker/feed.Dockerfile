# Made from deploy/board.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.
FROM scratch
COPY ["busybox", "/bin/busybox"]
COPY ["site", "/site"]
USER 10001:10001
EXPOSE 8081
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 CMD ["/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8081/feed.txt"]
CMD ["/bin/busybox", "httpd", "-f", "-p", "8081", "-h", "/site"]
