/** The engine's parts → BuildKit's protocol in front of them. */
import type { Say } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import type { Builder } from '../build/builder.ts'
import { unpackContext } from '../build/classic/classic-context.ts'
import type { Images } from '../images/images.ts'
import { BuildKit } from './buildkit.ts'
import { BuildHistory } from './history.ts'
import type { Mirrors } from './mirrors.ts'
import type { WorkerFacts } from './worker.ts'

export interface BuildKitNeeds {
  readonly paths: Paths
  readonly builder: Builder
  readonly images: Images
  readonly mirrors: Mirrors
  readonly worker: WorkerFacts
  readonly say: Say
}

export function openBuildKit({ paths, builder, images, mirrors, worker, say }: BuildKitNeeds): BuildKit {
  return new BuildKit({
    backend: {
      build: (request, onEvent, signal) => builder.build(request, onEvent, signal),
      inspect: (question, request, onEvent, signal) => builder.inspect(question, request, onEvent, signal),
      letGo: image => images.letGo(image),
      document: image => images.store.blobs.read(image.id),
      unpack: body => unpackContext({ paths, images }, body),
    },
    exports: {
      layers: image => images.layers(image),
      async *save({ id }, names) {
        yield* await images.save(names.length > 0 ? names : [id])
      },
    },
    mirrors,
    history: new BuildHistory({ folder: paths.buildHistory, say }),
    usage: builder.usage,
    sshFolder: paths.buildAgents,
    worker,
    say,
  })
}
