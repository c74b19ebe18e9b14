"""Agents: the loop that lets a model work with tools until it answers.

Here live the loop, structured answers, the choice among samples and the rendering of prompts.
Nothing here knows steps, cassettes or wire formats; models and tools are reached through ports.
"""
