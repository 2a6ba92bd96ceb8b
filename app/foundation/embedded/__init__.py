"""PostgreSQL and Redis as child processes, for development, tests and small installations.

One engine is tested and shipped: there is no second database dialect and no fake Redis, so a newcomer without servers
gets real ones, reachable only through Unix sockets in a private directory. `location` says where they live and costs no
import, `postgres` and `redis` are the engines, `running` starts both for a test run.
"""
