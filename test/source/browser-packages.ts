/** What pages of the web view are made with: small, or in a part that is loaded when it is first needed. */
export const browserPackages: readonly string[] = [
  'preact',
  '@preact/signals',
  '@tanstack/virtual-core',
  '@dagrejs/dagre',
  'uplot',
  '@xterm/xterm',
  '@xterm/addon-fit',
  'codemirror',
  '@codemirror/autocomplete',
  '@codemirror/lang-yaml',
  '@codemirror/lint',
  '@codemirror/merge',
  '@codemirror/state',
  '@codemirror/view',
]
