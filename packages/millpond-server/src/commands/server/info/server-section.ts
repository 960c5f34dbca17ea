/** INFO: the server, its clients, its processor time, and the parts of Redis that it does not have. */
import { release, type } from 'node:os'
import { clientBytes } from '../../client-info.ts'
import { MILLPOND_VERSION, REDIS_VERSION } from '../../versions.ts'
import type { InfoSection } from './section.ts'

export const server: InfoSection = {
  name: 'server',
  title: 'Server',
  lines({ time, startedAtMs, configuration, runId, sharing }) {
    const uptime = Math.floor((time.nowMs - startedAtMs) / 1000)
    return [
      ['redis_version', REDIS_VERSION],
      ['millpond_version', MILLPOND_VERSION],
      ['redis_git_sha1', '00000000'],
      ['redis_git_dirty', 0],
      ['redis_build_id', '0'],
      ['redis_mode', 'standalone'],
      ['os', `${type()} ${release()} ${process.arch}`],
      ['arch_bits', 64],
      ['multiplexing_api', 'libuv'],
      ['node_version', process.versions.node],
      ['process_id', process.pid],
      ['process_supervised', 'no'],
      ['run_id', runId],
      ['tcp_port', configuration.number('port')],
      ['server_time_usec', time.nowMs * 1000],
      ['uptime_in_seconds', uptime],
      ['uptime_in_days', Math.floor(uptime / 86_400)],
      ['hz', configuration.number('hz')],
      ['configured_hz', configuration.number('hz')],
      ['lru_clock', Math.floor(time.nowMs / 1000) % 2 ** 24],
      ['executable', process.execPath],
      ['config_file', configuration.file ?? ''],
      ['io_threads_active', sharing === undefined ? 0 : 1],
    ]
  },
}

export const clients: InfoSection = {
  name: 'clients',
  title: 'Clients',
  lines(service) {
    const all = [...service.clients.values()]
    return [
      ['connected_clients', all.length],
      ['cluster_connections', 0],
      ['maxclients', service.settings.clientsMax],
      ['client_recent_max_input_buffer', Math.max(0, ...all.map(({ inputBytes }) => inputBytes))],
      ['client_recent_max_output_buffer', Math.max(0, ...all.map(({ outputBytes }) => outputBytes))],
      ['blocked_clients', service.waiters.count],
      ['tracking_clients', service.tracking.clientCount],
      ['clients_in_timeout_table', all.filter(({ waiting }) => waiting?.timer !== undefined).length],
      ['clients_bytes', all.reduce((sum, client) => sum + clientBytes(client), 0)],
    ]
  },
}

export const processor: InfoSection = {
  name: 'cpu',
  title: 'CPU',
  lines() {
    const { user, system } = process.cpuUsage()
    const seconds = (microseconds: number): string => (microseconds / 1e6).toFixed(6)
    return [
      ['used_cpu_sys', seconds(system)],
      ['used_cpu_user', seconds(user)],
      ['used_cpu_sys_children', '0.000000'],
      ['used_cpu_user_children', '0.000000'],
      ['used_cpu_sys_main_thread', seconds(system)],
      ['used_cpu_user_main_thread', seconds(user)],
    ]
  },
}

export const replication: InfoSection = {
  name: 'replication',
  title: 'Replication',
  lines: ({ runId }) => [
    ['role', 'master'],
    ['connected_slaves', 0],
    ['master_failover_state', 'no-failover'],
    ['master_replid', runId],
    ['master_replid2', '0'.repeat(40)],
    ['master_repl_offset', 0],
    ['second_repl_offset', -1],
    ['repl_backlog_active', 0],
    ['repl_backlog_size', 1_048_576],
    ['repl_backlog_first_byte_offset', 0],
    ['repl_backlog_histlen', 0],
  ],
}

export const modules: InfoSection = { name: 'modules', title: 'Modules', lines: () => [] }

export const cluster: InfoSection = { name: 'cluster', title: 'Cluster', lines: () => [['cluster_enabled', 0]] }

export const keyspace: InfoSection = {
  name: 'keyspace',
  title: 'Keyspace',
  lines: ({ databases }) =>
    databases
      .filter(({ size }) => size > 0)
      .map(({ index, size, expiring }) => [`db${index}`, `keys=${size},expires=${expiring},avg_ttl=0`] as const),
}
