# Made from deploy/status.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.
FROM scratch
COPY ["busybox", "/bin/busybox"]
COPY ["poll.sh", "/app/poll.sh"]
USER 10001:10001
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 CMD ["/bin/busybox", "test", "-s", "/tmp/feed.txt"]
CMD ["/bin/busybox", "sh", "/app/poll.sh"]
