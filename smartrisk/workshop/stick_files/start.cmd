@echo off
rem Opens the class in JupyterLab at lab 1.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "CLASS=%USERPROFILE%\smartrisk-class"
if not exist "%CLASS%\venv\Scripts\python.exe" goto none
"%CLASS%\venv\Scripts\python.exe" "%CLASS%\files\start.py" %*
set "STATUS=%ERRORLEVEL%"
if "%STATUS%"=="0" exit /b 0
goto end

:none
type "%~dp0files\not-installed.txt"
set "STATUS=1"

:end
if not defined SMARTRISK_NO_PAUSE pause
exit /b %STATUS%
