@echo off
rem Double-click: starts posestream. Installs it into .venv the first time.
setlocal
cd /d "%~dp0"
set "PYTHON="
for %%C in ("py -3.12" "py -3.11" "python" "python3" "py") do (
    if not defined PYTHON (
        %%~C -c "" >nul 2>nul && set "PYTHON=%%~C"
    )
)
if not defined PYTHON (
    echo Python 3.12 is needed: install it with "winget install Python.Python.3.12" and start again.
    pause
    exit /b 1
)
%PYTHON% tools\run.py %*
set "CODE=%ERRORLEVEL%"
if not "%CODE%"=="0" pause
exit /b %CODE%
