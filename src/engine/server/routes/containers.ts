/** Endpoints of containers: each to one verb of the collection. */
import type { containerEndpoints } from '../../../api/containers.ts'
import type { Handlers, Request } from '../../../api/endpoint.ts'
import { parseDetachKeys } from '../../../lib/detach-keys.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Containers } from '../../containers/containers.ts'
import { olderCreate, olderInspect, olderSummary, olderUpdate } from '../older.ts'
import { windowSize } from '../window-size.ts'

export function containerRoutes(containers: Containers): Handlers<typeof containerEndpoints> {
  return {
    containerList: async ({ query }, { version }) =>
      (await containers.list(defined(query))).map(summary => olderSummary(summary, version)),
    containerCreate: async ({ query, body }, { version }) =>
      containers.create({ ...defined(query), body: olderCreate(body, version) }),
    containerPrune: ({ query }) => containers.prune(query.filters ?? {}),
    containerInspect: async ({ params, query }, { version }) =>
      olderInspect(await containers.inspect(params.id, defined(query)), version),
    containerProgram: ({ params }) => containers.program(params.id),
    containerStart: ({ params, query: { successorOf } }, { signal }) =>
      containers.start(params.id, { signal, ...(successorOf ? { successorOf } : {}) }),
    containerHandOver: ({ params, query }) => containers.handOver(params.id, query.to ?? ''),
    containerDrain: ({ params, query }, { signal }) => containers.drain(params.id, { timeout: query.t, signal }),
    containerStop: ({ params, query }) => containers.stop(params.id, stopOptions(query)),
    containerRestart: ({ params, query }) => containers.restart(params.id, stopOptions(query)),
    containerKill: ({ params, query }) => containers.kill(params.id, query.signal || 'SIGKILL'),
    containerPause: ({ params }) => containers.pause(params.id),
    containerUnpause: ({ params }) => containers.unpause(params.id),
    containerRename: ({ params, query }) => containers.rename(params.id, query.name ?? ''),
    containerUpdate: ({ params, body }, { version }) => containers.update(params.id, olderUpdate(body, version)),
    containerWait: ({ params, query }, { signal }) =>
      containers.wait(params.id, { ...(query.condition ? { condition: query.condition } : {}), signal }),
    containerAttach: ({ params, query }) => containers.attach(params.id, attachOptions(query)),
    containerAttachWebSocket: ({ params, query }) => containers.attach(params.id, attachOptions(query)),
    containerResize: ({ params, query }) => containers.resize(params.id, windowSize(query)),
    containerLogs: ({ params, query }, { signal }) => {
      if (!query.stdout && !query.stderr)
        throw new Failure('invalid', 'Bad parameters: you must choose at least one stream')
      return containers.logs(params.id, {
        ...defined(query),
        stdout: query.stdout ?? false,
        stderr: query.stderr ?? false,
        signal,
      })
    },
    containerRemove: ({ params, query }) =>
      query.link
        ? containers.removeLink(params.id)
        : containers.remove(params.id, {
            force: query.force ?? false,
            volumes: query.v ?? false,
            keepsLogAs: query.keeplog || undefined,
          }),
    containerTop: ({ params, query }) => containers.top(params.id, query.ps_args || undefined),
    containerStats: ({ params, query }, { signal }) =>
      containers.stats(params.id, { stream: query.stream ?? true, oneShot: query['one-shot'] ?? false, signal }),
    containerChanges: ({ params }) => containers.changes(params.id),
    containerExport: ({ params }) => containers.exportRoot(params.id),
    containerArchiveStat: ({ params, query }) => containers.statPath(params.id, archivePath(query.path)),
    containerArchiveGet: ({ params, query }) => containers.readArchive(params.id, archivePath(query.path)),
    containerArchivePut: ({ params, query, body }) =>
      containers.writeArchive(params.id, {
        path: archivePath(query.path),
        noOverwriteDirNonDir: query.noOverwriteDirNonDir ?? false,
        copyUIDGID: query.copyUIDGID ?? false,
        content: body,
      }),
    containerCommit: async ({ query, body }) => {
      if (!query.container) throw new Failure('invalid', 'invalid name or ID supplied: ""')
      const { id } = await containers.commit(query.container, {
        repo: query.repo,
        tag: query.tag,
        comment: query.comment,
        author: query.author,
        pause: query.pause ?? true,
        changes: query.changes ?? [],
        config: body,
      })
      return { Id: id }
    },
  }
}

/** Without the members that are undefined. */
function defined<T extends object>(query: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>
  }
}

/** @throws Failure `invalid` for detach keys that are none: before the connection is the container's. */
function attachOptions(query: Request<(typeof containerEndpoints)['containerAttach']>['query']) {
  if (query.detachKeys) parseDetachKeys(query.detachKeys)
  return {
    stream: query.stream ?? false,
    logs: query.logs ?? false,
    stdin: query.stdin ?? false,
    stdout: query.stdout ?? false,
    stderr: query.stderr ?? false,
    ...(query.detachKeys ? { detachKeys: query.detachKeys } : {}),
  }
}

function stopOptions({ t, signal }: { readonly t?: number | undefined; readonly signal?: string | undefined }) {
  return { ...(t === undefined ? {} : { timeout: t }), ...(signal ? { signal } : {}) }
}

function archivePath(path: string | undefined): string {
  if (!path) throw new Failure('invalid', 'bad parameter: pathcannot be empty')
  return path
}
