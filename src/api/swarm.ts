/** Endpoints of a swarm and of plugins, which an engine of one machine answers as a Docker Engine outside a swarm does. */
import { endpoint, json, optionalJson, table } from './endpoint.ts'

const refused = { reply: json<never>() }

/** Their bodies are not read. */
export const swarmEndpoints = table({
  swarmInspect: endpoint('GET', '/swarm', refused),
  swarmInit: endpoint('POST', '/swarm/init', refused),
  swarmJoin: endpoint('POST', '/swarm/join', refused),
  swarmLeave: endpoint('POST', '/swarm/leave', refused),
  swarmUpdate: endpoint('POST', '/swarm/update', refused),
  swarmUnlockKey: endpoint('GET', '/swarm/unlockkey', refused),
  swarmUnlock: endpoint('POST', '/swarm/unlock', refused),
  nodeList: endpoint('GET', '/nodes', refused),
  nodeInspect: endpoint('GET', '/nodes/{id}', refused),
  nodeRemove: endpoint('DELETE', '/nodes/{id}', refused),
  nodeUpdate: endpoint('POST', '/nodes/{id}/update', refused),
  serviceList: endpoint('GET', '/services', refused),
  serviceCreate: endpoint('POST', '/services/create', refused),
  serviceInspect: endpoint('GET', '/services/{id}', refused),
  serviceRemove: endpoint('DELETE', '/services/{id}', refused),
  serviceUpdate: endpoint('POST', '/services/{id}/update', refused),
  serviceLogs: endpoint('GET', '/services/{id}/logs', refused),
  taskList: endpoint('GET', '/tasks', refused),
  taskInspect: endpoint('GET', '/tasks/{id}', refused),
  taskLogs: endpoint('GET', '/tasks/{id}/logs', refused),
  secretList: endpoint('GET', '/secrets', refused),
  secretCreate: endpoint('POST', '/secrets/create', refused),
  secretInspect: endpoint('GET', '/secrets/{id}', refused),
  secretRemove: endpoint('DELETE', '/secrets/{id}', refused),
  secretUpdate: endpoint('POST', '/secrets/{id}/update', refused),
  configList: endpoint('GET', '/configs', refused),
  configCreate: endpoint('POST', '/configs/create', refused),
  configInspect: endpoint('GET', '/configs/{id}', refused),
  configRemove: endpoint('DELETE', '/configs/{id}', refused),
  configUpdate: endpoint('POST', '/configs/{id}/update', refused),
  /** Of a cluster volume; others are what they were made. */
  volumeUpdate: endpoint('PUT', '/volumes/{name}', refused),
})

/** What a plugin may do. */
interface PluginPrivilege {
  readonly Name?: string | undefined
  readonly Description?: string | undefined
  readonly Value?: readonly string[] | undefined
}

const privileges = {
  body: optionalJson<readonly PluginPrivilege[]>(({ z, strings, text }) =>
    z.array(z.object({ Name: text, Description: text, Value: strings })).max(256),
  ),
  ...refused,
}

export const pluginEndpoints = table({
  pluginList: endpoint('GET', '/plugins', { query: { filters: 'filters' }, reply: json<readonly unknown[]>() }),
  pluginPrivileges: endpoint('GET', '/plugins/privileges', { reply: json<readonly unknown[]>() }),
  pluginPull: endpoint('POST', '/plugins/pull', { query: { remote: 'string' }, ...privileges }),
  pluginCreate: endpoint('POST', '/plugins/create', refused),
  pluginInspect: endpoint('GET', '/plugins/{name*}/json', refused),
  pluginRemove: endpoint('DELETE', '/plugins/{name*}', refused),
  pluginEnable: endpoint('POST', '/plugins/{name*}/enable', refused),
  pluginDisable: endpoint('POST', '/plugins/{name*}/disable', refused),
  pluginUpgrade: endpoint('POST', '/plugins/{name*}/upgrade', privileges),
  pluginPush: endpoint('POST', '/plugins/{name*}/push', refused),
  pluginSet: endpoint('POST', '/plugins/{name*}/set', {
    body: optionalJson<readonly string[]>(({ z, string }) => z.array(string).max(4096)),
    ...refused,
  }),
})
