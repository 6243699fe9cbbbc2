/** The programs of tscompose: each is bundled to one file below build/, here and in packages. */

export interface Program {
  readonly built: string
  readonly entry: string
  /** The little JavaScript that starts it. */
  readonly launcher: string
}

export const programs = [
  { built: 'cli.js', entry: 'src/cli/main.ts', launcher: 'src/cli/start.cjs' },
  { built: 'keeper.js', entry: 'src/keeper/main.ts', launcher: 'src/keeper/start.cjs' },
  { built: 'warm.js', entry: 'src/warm/main.ts', launcher: 'src/warm/start.cjs' },
  { built: 'engine.js', entry: 'src/engine/main.ts', launcher: 'src/engine/start.cjs' },
  { built: 'redirect.js', entry: 'src/engine/dns/redirect-main.ts', launcher: 'src/engine/dns/redirect-start.cjs' },
  {
    built: 'unpack-thread.js',
    entry: 'src/engine/images/unpack-thread.ts',
    launcher: 'src/engine/images/unpack-start.cjs',
  },
] as const satisfies readonly Program[]
