/** Which folder of src/ may import which, and which packages, each with its reason. */
import { browserPackages } from './browser-packages.ts'

export interface Wall {
  readonly folder: string
  /** Folders it may import besides itself. */
  readonly mayImport: readonly string[]
  readonly packages: readonly string[]
  readonly because: string
}

/** What brings stacks about, for whoever does. */
const upperHalf = [
  'holding',
  'history',
  'state',
  'targets',
  'graph',
  'plan',
  'apply',
  'view',
  'client',
  'model',
  'api',
  'lib',
] as const

export const walls: readonly Wall[] = [
  {
    folder: 'installation',
    mayImport: ['lib'],
    packages: [],
    because: 'where a program of ours lies and how it is started is no matter of what it does',
  },
  {
    folder: 'lib',
    mayImport: [],
    packages: [],
    because: 'leaves without a subject: everybody may use them, so they use nobody',
  },
  {
    folder: 'template',
    mayImport: ['lib'],
    packages: [],
    because: 'a language of its own: rows of lists and tags of logs are written in it',
  },
  { folder: 'model', mayImport: ['lib'], packages: [], because: 'what a stack is does not depend on how it was read' },
  {
    folder: 'api',
    mayImport: ['lib'],
    packages: ['zod', 'protobufjs'],
    because: 'the contract belongs to neither side',
  },
  {
    folder: 'stack',
    mayImport: ['model', 'lib'],
    packages: ['yaml', 'zod', 'croner'],
    because: 'reading a file needs no engine',
  },
  {
    folder: 'graph',
    mayImport: ['model', 'lib'],
    packages: [],
    because: 'who needs whom follows from the model alone',
  },
  {
    folder: 'plan',
    mayImport: ['model', 'lib'],
    packages: [],
    because: 'operations with causes in an order: what they are is the business of their target',
  },
  {
    folder: 'view',
    // of targets, the labels by which a stack's parts are found
    mayImport: ['targets', 'plan', 'model', 'api', 'lib'],
    packages: [],
    because: 'rows of what is shown follow from what an engine answers, for whoever draws them',
  },
  {
    folder: 'audit',
    mayImport: ['model', 'lib'],
    packages: [],
    because: 'what a stack grants follows from the stack, whatever it is run by',
  },
  {
    folder: 'client',
    mayImport: ['api', 'lib'],
    // extended attributes of what is built from: Node has no words for them
    packages: ['koffi'],
    because: 'a client of any Docker engine, not of ours',
  },
  {
    folder: 'apply',
    // of client, what a build tells on its way
    mayImport: ['plan', 'client', 'lib'],
    packages: ['p-queue'],
    because:
      'apply walks plans of any target: it decides nothing, and what it brings about is done by whom it is given',
  },
  {
    folder: 'state',
    mayImport: ['lib'],
    packages: [],
    because:
      'what is kept on disk between two commands is the concern of those that keep it; zod would cost each its start',
  },
  {
    folder: 'history',
    mayImport: ['targets', 'apply', 'plan', 'graph', 'client', 'model', 'api', 'lib', 'state'],
    packages: [],
    because: 'what was applied is kept by whoever applies: the command line, the keeper',
  },
  {
    folder: 'targets',
    mayImport: ['apply', 'plan', 'graph', 'client', 'model', 'api', 'lib'],
    // of clusters: their configuration is YAML, their exec a WebSocket
    packages: ['p-queue', 'yaml', 'ws'],
    because:
      'what a target can do, sees, plans and performs is a fact of the target, and no business of whoever reads files',
  },
  {
    folder: 'drift',
    mayImport: ['targets', 'apply', 'plan', 'graph', 'client', 'model', 'api', 'lib'],
    packages: [],
    because: 'what is done to a stack behind its back is read in one place, by whoever keeps it: the keeper, a watch',
  },
  {
    folder: 'watch',
    // of state, what a command says to a watch
    mayImport: ['drift', 'state', 'targets', 'apply', 'plan', 'graph', 'client', 'model', 'api', 'lib'],
    packages: ['tar-stream'],
    because:
      'a watch serves the command line as it serves a process that stays, so it reads and prints by what it is given',
  },
  {
    folder: 'holding',
    mayImport: ['installation', 'state', 'client', 'model', 'api', 'lib'],
    packages: [],
    because: 'whoever asks the keeper to hold a stack does not load the keeper',
  },
  {
    folder: 'rootless',
    mayImport: ['client', 'lib'],
    packages: [],
    because: "whoever starts an engine of an ordinary user makes its namespaces; the engine in them is root's own",
  },
  {
    folder: 'keeper',
    mayImport: ['installation', 'drift', 'watch', ...upperHalf],
    packages: ['croner'],
    because:
      'a resident process asks nobody: what is only for people and terminals is not loaded; what it applies is history too, and stacks are read by a process of their own; its defects are told by their places in the sources',
  },
  {
    folder: 'web',
    // of language, what an editor is told of a text
    mayImport: ['installation', 'language', 'audit', 'stack', ...upperHalf],
    packages: ['ws', 'zod', 'yaml', ...browserPackages],
    because: 'the view shows what any client could, and changes things by roads that it is given (web/roads.ts)',
  },
  {
    folder: 'migration',
    mayImport: ['history', 'targets', 'client', 'api', 'lib'],
    packages: [],
    because:
      'what is moved from engine to engine are images and volumes: the stack is brought up as ever, by whom it is moved for',
  },
  {
    folder: 'ui',
    // of targets, how logs are followed
    mayImport: ['view', 'targets', 'client', 'api', 'lib'],
    packages: ['cli-truncate', 'string-width'],
    because: 'it shows what any client could, and what it changes is done by commands that it is given',
  },
  {
    folder: 'language',
    mayImport: ['lib'],
    packages: ['vscode-languageserver', 'vscode-languageserver-textdocument'],
    because: 'an editor asks of texts that are half written: a stack is read, and its schema made, by whom it is given',
  },
  {
    folder: 'cli',
    mayImport: [
      'installation',
      'rootless',
      'language',
      'ui',
      'ui',
      'migration',
      'web',
      'watch',
      'audit',
      'stack',
      'template',
      ...upperHalf,
    ],
    packages: ['listr2'],
    because: 'the command line starts the engine by path and never loads it',
  },
  {
    folder: 'warm',
    mayImport: ['cli', 'plan', 'targets'],
    packages: ['koffi'],
    because: 'the command line in a process that stays: it has all of it loaded, and adds nothing to it',
  },
  { folder: 'runtime', mayImport: ['lib'], packages: ['koffi'], because: 'containers know no stacks and no HTTP' },
  {
    folder: 'engine',
    mayImport: ['installation', 'runtime', 'api', 'template', 'lib'],
    packages: [
      'zod',
      'p-queue',
      'tar-stream',
      'dns-packet',
      'unbzip2-stream',
      'ws',
      'xz-decompress',
      're2js',
      '@msgpack/msgpack',
      // its settings, where there are any
      'yaml',
    ],
    because: 'the engine serves any client and knows no stacks',
  },
]
