import { useEffect, useState, type ReactNode } from 'react';

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const name = 'hatchet.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(name);
    return themes.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}

/** As the system has it, or as was chosen here; the choice stays. */
export function ThemeSwitch(): ReactNode {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem(name, theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  }, [theme]);
  return (
    <label className="theme-switch">
      <span className="hidden">Theme</span>
      <select
        value={theme}
        onChange={(event) => setTheme(themes.find((each) => each === event.target.value) ?? 'system')}
      >
        <option value="system">System theme</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
