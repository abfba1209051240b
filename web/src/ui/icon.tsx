/** Icons of 24 by 24, drawn by a stroke in the colour of the text around them. */
const PATHS = {
  alert: 'M12 4 2.8 19.500h18.400zM12 10v4m0 2.800v.2',
  archive: 'M4 8v11h16V8M3 4.500h18V8H3zm7 7.500h4',
  arrowDown: 'M12 5v14m-6-6 6 6 6-6',
  arrowUp: 'M12 19V5m-6 6 6-6 6 6',
  audio:
    'M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zm10-2a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z',
  back: 'M19 12H5m6-6-6 6 6 6',
  check: 'm5 12.500 4.500 4.500L19 7.500',
  chevronDown: 'm6 9 6 6 6-6',
  chevronRight: 'm9 6 6 6-6 6',
  close: 'm6 6 12 12M18 6 6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  dots: 'M5.500 12a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0zm7 0a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0zm7 0a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0z',
  download: 'M12 4v11m-5-5 5 5 5-5M4 20h16',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  eyeOff:
    'm4 4 16 16M9.900 5.700A9 9 0 0 1 12 5.500c6 0 9.500 6.500 9.500 6.500a16 16 0 0 1-2.700 3.400M6.300 7.700A15.500 15.500 0 0 0 2.500 12S6 18.500 12 18.500a9 9 0 0 0 4-.9',
  file: 'M6 3h8l5 5v13H6zm8 0v5h5',
  files: 'M3 6.500V19h18V8.500h-9l-2-2z',
  folder: 'M3 6v13h18V8h-9l-2-2z',
  folderPlus: 'M3 6v13h18V8h-9l-2-2zm9 5v5m-2.500-2.500h5',
  health: 'M3 12h4l2.500-6 4.500 12 2.500-6H21',
  history: 'M4 12a8 8 0 1 0 2.500-5.800L4 8.500M4 4v4.500h4.500M12 8v4.500l3 1.800',
  home: 'm4 11 8-7 8 7v9h-5.500v-6h-5v6H4z',
  image: 'M4 5h16v14H4zm0 11 5-5 4 4 2.500-2.500L20 17M15.500 9.500h.01',
  key: 'M14.500 13.500a5 5 0 1 0-4-4L3.500 16.500V20.500H7v-2.500h2.500v-2.500h2zM16 8h.01',
  lock: 'M6 11h12v9H6zm2.500 0V8a3.500 3.500 0 0 1 7 0v3',
  moon: 'M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z',
  move: 'M3 6v13h18V8h-9l-2-2zm6 7.500h6.500m-2.500-2.500 2.500 2.500-2.500 2.500',
  network:
    'M12 8a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM5.500 21a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zm13 0a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM10.800 7.700l-4 8.600m6.400-8.600 4 8.600M8 18.500h8',
  pause: 'M8.500 5v14m7-14v14',
  pencil: 'm14 6 4 4M4 20l1-5L16 4l4 4L9 19z',
  play: 'M7 4.500v15l12-7.500z',
  plus: 'M12 5v14m-7-7h14',
  restore: 'M4 9h10a5.500 5.500 0 0 1 0 11H8M4 9l4.500-4.500M4 9l4.500 4.500',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zm5-1.500L21 21',
  settings:
    'M4 7h9m4 0h3M4 17h3m4 0h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zm-6 10a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  shield: 'M12 3 5 5.500V11c0 4.700 2.900 8.200 7 10 4.100-1.800 7-5.300 7-10V5.500zm-3 8.800 2.300 2.300 4-4.300',
  signOut: 'M14 4H5v16h9m-4-8h11m-4-4 4 4-4 4',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0-13.500v2m0 15v2M2.500 12h2m15 0h2M5.300 5.300l1.400 1.400m10.600 10.600 1.400 1.400m0-13.400-1.400 1.400M6.700 17.300l-1.400 1.400',
  trash: 'M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13M10 11v5.500m4-5.500v5.500',
  upload: 'M12 16V5m-5 5 5-5 5 5M4 20h16',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-8 8.500c.8-3.800 4-5.500 8-5.500s7.200 1.700 8 5.500',
  video: 'M3 5h18v14H3zm7 4v6l5-3z',
  where: 'M4 4h6.500v6.500H4zm9.500 0H20v6.500h-6.500zM4 13.500h6.500V20H4zm9.500 3.200h6.500m-3.200-3.200V20',
};

export type IconName = keyof typeof PATHS;

/** Decoration: whatever it stands for is said in words beside it, or in the label of its button. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
