"""The pytest plugin: the marker and fixture `agentci`, modes on the command line, a closed network.

pytest loads `plugin` in every project where agentci is installed, so a project that does not use it
must not notice: no fixture is active by itself, no option of another plugin is touched, and nothing
but pytest is imported until a test asks for a cassette. Adapters are out of reach from here.
"""
